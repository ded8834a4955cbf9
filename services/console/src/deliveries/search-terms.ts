/** By what a push can be looked for, as `deliveries.list` takes it. */
export const SEARCH_KINDS = [
  'userId',
  'deviceId',
  'activationId',
  'deliveryId',
  'messageId',
  'providerMessageId',
] as const;
export type SearchKind = (typeof SEARCH_KINDS)[number];

export interface SearchTerms {
  readonly by: SearchKind;
  readonly value: string;
}

/** What the address asks for; undefined where it asks for nothing. */
export function readTerms(parameters: URLSearchParams): SearchTerms | undefined {
  const by = SEARCH_KINDS.find((kind) => parameters.has(kind));
  const value = by === undefined ? '' : (parameters.get(by)?.trim() ?? '');
  return by === undefined || value === '' ? undefined : { by, value };
}

/** As the api takes it. */
export function toQuery({ by, value }: SearchTerms): Readonly<Record<string, string | number>> {
  return { [by]: by === 'deviceId' ? Number(value) : value };
}
