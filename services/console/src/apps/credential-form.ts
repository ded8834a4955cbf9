import type { ApplicationDetail } from '@heliograph/client';

/** What the form of a credential knows: whose it is, what stands now, and how it is left. */
export interface CredentialFormProps {
  readonly appId: string;
  readonly detail: ApplicationDetail;
  readonly close: () => void;
}
