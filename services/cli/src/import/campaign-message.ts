import type { Json, MessageBody } from '@heliograph/core';
import type { CampaignMessage } from '@heliograph/db';

type Fields = Readonly<Record<string, unknown>>;

/** The field is there, and is not what it should be. */
class Unreadable extends Error {}

/**
 * The message of a campaign as the original stores it, in JSON; undefined where it is none. Fields that we don't know are left out,
 * and those that are null.
 */
export function parseCampaignMessage(json: string): CampaignMessage | undefined {
  try {
    const fields: unknown = JSON.parse(json);
    return isFields(fields) ? toMessage(fields) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Unreadable) return undefined;
    throw error;
  }
}

function toMessage(fields: Fields): CampaignMessage {
  return {
    ...readField(fields, 'title', isText),
    ...readField(fields, 'titleLocKey', isText),
    ...readField(fields, 'titleLocArgs', isTexts),
    ...readField(fields, 'body', isText),
    ...readField(fields, 'bodyLocKey', isText),
    ...readField(fields, 'bodyLocArgs', isTexts),
    ...readField(fields, 'icon', isText),
    ...readField(fields, 'sound', isText),
    ...readField(fields, 'category', isText),
    ...readField(fields, 'collapseKey', isText),
    ...readField(fields, 'badge', isInteger),
    ...readField(fields, 'extras', isExtras),
    ...readValidUntil(fields['validUntil']),
  };
}

function readField<Name extends keyof MessageBody, T>(
  fields: Fields,
  name: Name,
  is: (value: unknown) => value is T,
): { readonly [K in Name]?: T } {
  const value = fields[name] ?? undefined;
  if (value === undefined) return {};
  if (!is(value)) throw new Unreadable(name);
  return toField(name, value);
}

function toField<Name extends string, T>(name: Name, value: T): { readonly [K in Name]?: T };
function toField(name: string, value: unknown): object {
  return { [name]: value };
}

/** An ISO instant, or seconds since 1970 with a fraction: the original's libraries have written both. */
function readValidUntil(value: unknown): { readonly validUntil?: string } {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string' && typeof value !== 'number') throw new Unreadable('validUntil');
  const at = new Date(typeof value === 'number' ? value * 1000 : toIso(value));
  if (Number.isNaN(at.getTime())) throw new Unreadable('validUntil');
  return { validUntil: at.toISOString() };
}

/** Older libraries write offsets without a colon. */
function toIso(text: string): string {
  return text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** It came out of JSON, so all in it is JSON. */
function isExtras(value: unknown): value is Record<string, Json> {
  return isFields(value);
}
