import { ENDPOINTS } from '../powerauth/endpoints.ts';
import { ERROR_ANSWER } from '../powerauth/envelope.ts';
import { toOpenApi } from './openapi.ts';

/** Prints the document for `docs/api/openapi.json`: `npm run openapi -w @heliograph/api`. */
const document = toOpenApi({ endpoints: ENDPOINTS, error: ERROR_ANSWER });
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
