import type { Outcome } from '@heliograph/core';

export type TokenAnswer = { readonly token: string } | { readonly outcome: Outcome };

/** The tokens that prove to a provider who we are. */
export interface ProviderTokens {
  current(): string | undefined;
  get(): Promise<TokenAnswer>;
  refused(token: string): void;
  tooManyUpdates(token: string): void;
  close(): void;
}
