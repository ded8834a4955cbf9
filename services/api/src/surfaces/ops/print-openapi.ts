import { DESCRIBED_SURFACES } from './described-surfaces.ts';
import { toOpenApi } from './openapi.ts';

/** Prints the document for `docs/api/openapi.json`: `npm run openapi -w @heliograph/api`. */
const document = toOpenApi(DESCRIBED_SURFACES);
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
