import { DESCRIBED_SESSION_ENDPOINTS, SESSION_SECURITY } from '../console/session-endpoints.ts';
import { M800_ENDPOINTS, M800_ERROR_ANSWER, M800_SECURITY } from '../m800/endpoints.ts';
import { ENDPOINTS } from '../powerauth/endpoints.ts';
import { ERROR_ANSWER } from '../powerauth/envelope.ts';
import type { DescribedSurface } from './openapi.ts';

/** What the api's own listener serves. */
export const DESCRIBED_SURFACES: readonly DescribedSurface[] = [
  { endpoints: ENDPOINTS, error: ERROR_ANSWER },
  { endpoints: DESCRIBED_SESSION_ENDPOINTS, error: ERROR_ANSWER, security: SESSION_SECURITY },
  { endpoints: M800_ENDPOINTS, error: M800_ERROR_ANSWER, security: M800_SECURITY },
];
