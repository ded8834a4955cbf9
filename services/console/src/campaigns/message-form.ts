import type { PushMessageBody } from '@heliograph/client';

/** What is in the fields. */
export interface MessageFields {
  readonly appId: string;
  readonly title: string;
  readonly body: string;
  readonly badge: number | string;
  readonly sound: string;
  readonly category: string;
  readonly collapseKey: string;
  /** JSON. */
  readonly extras: string;
  /** As `datetime-local` has it, in the time of the browser. */
  readonly validUntil: string;
}

export const NO_FIELDS: MessageFields = {
  appId: '',
  title: '',
  body: '',
  badge: '',
  sound: '',
  category: '',
  collapseKey: '',
  extras: '',
  validUntil: '',
};

/** Of a template; until when that was valid is over, mostly, and is chosen anew. */
export function toFields(appId: number | string, message: PushMessageBody): MessageFields {
  return {
    appId: String(appId),
    title: message.title ?? '',
    body: message.body ?? '',
    badge: message.badge ?? '',
    sound: message.sound ?? '',
    category: message.category ?? '',
    collapseKey: message.collapseKey ?? '',
    extras: message.extras === undefined ? '' : JSON.stringify(message.extras, null, 2),
    validUntil: '',
  };
}

/** The message of the fields. What a template has that there is no field for, such as texts in the language of the device, stays. */
export function toMessage(fields: MessageFields, template: PushMessageBody = {}): PushMessageBody {
  const { title, body, badge, sound, category, collapseKey, extras, validUntil } = fields;
  return {
    titleLocKey: template.titleLocKey,
    titleLocArgs: template.titleLocArgs,
    bodyLocKey: template.bodyLocKey,
    bodyLocArgs: template.bodyLocArgs,
    icon: template.icon,
    title: textOf(title),
    body: textOf(body),
    badge: typeof badge === 'number' ? badge : undefined,
    sound: textOf(sound.trim()),
    category: textOf(category.trim()),
    collapseKey: textOf(collapseKey.trim()),
    extras: parseExtras(extras),
    validUntil: validUntil === '' ? undefined : new Date(validUntil).toISOString(),
  };
}

export function isEmpty({ title, body, titleLocKey, bodyLocKey }: PushMessageBody): boolean {
  return [title, body, titleLocKey, bodyLocKey].every((text) => text === undefined);
}

/** Undefined where it is none. */
export function parseExtras(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(text: string): string | undefined {
  return text === '' ? undefined : text;
}
