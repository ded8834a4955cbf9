import type { IncomingMessage, ServerResponse } from 'node:http';

import { setRequestId } from './request-id.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** Sets what every answer has, whatever it will be. */
export function beginAnswer(req: IncomingMessage, res: ServerResponse): void {
  setRequestId(req, res);
  setSecurityHeaders(res);
}
