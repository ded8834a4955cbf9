import { useIntl } from 'react-intl';

import type { MessageId } from './en.ts';

export type Values = Readonly<Record<string, string | number | Date>>;

/** Says messages of the catalogue: `const say = useText(); say('signIn.title')`. */
export function useText(): (id: MessageId, values?: Values) => string {
  const intl = useIntl();
  return (id, values) => intl.formatMessage({ id }, values);
}
