/** What an API key may be allowed to do. */
export const SCOPES = ['send', 'devices', 'campaigns', 'campaigns:send', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(name: string): name is Scope {
  return SCOPES.some((scope) => scope === name);
}

/** Whether a key with these scopes may do what one of `needed` allows. `admin` allows everything: it could make itself a key for it. */
export function allows(scopes: readonly Scope[], needed: readonly Scope[]): boolean {
  return scopes.some((scope) => scope === 'admin' || needed.includes(scope));
}
