import { SCOPES, type Scope } from './scope.ts';

/** What a user of the console is. Each may do what those before it may, and more. */
export const ROLES = ['viewer', 'editor', 'sender', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Nobody registers devices by hand: `devices` is for backends, and for who may do everything. */
const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'],
  editor: ['read', 'campaigns'],
  sender: ['read', 'campaigns', 'campaigns:send', 'send'],
  admin: SCOPES,
};

export function isRole(name: string): name is Role {
  return ROLES.some((role) => role === name);
}

/** What a role may do, as API keys have it. */
export function toScopes(role: Role): readonly Scope[] {
  return SCOPES_OF[role];
}
