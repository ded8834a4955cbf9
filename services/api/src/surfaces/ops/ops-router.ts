import type { Health } from '@heliograph/runtime';
import { Router } from 'express';

import { writeJson } from '../../http/write-json.ts';
import { DESCRIBED_SURFACES } from './described-surfaces.ts';
import { toOpenApi } from './openapi.ts';
import { swaggerUi } from './swagger-ui.ts';

export interface OpsDeps {
  readonly health: Health;
}

/** Health for those who run us, and the description of the API for those who call us. */
export function opsRouter({ health }: OpsDeps): Router {
  const router = Router();

  router.get('/actuator/health', async (_req, res) => {
    const { status } = await health.readiness();
    writeJson(res, status === 'UP' ? 200 : 503, { status });
  });
  router.get('/actuator/health/liveness', (_req, res) => writeJson(res, 200, health.liveness()));
  router.get('/actuator/health/readiness', async (_req, res) => {
    const readiness = await health.readiness();
    writeJson(res, readiness.status === 'UP' ? 200 : 503, readiness);
  });

  const document = toOpenApi(DESCRIBED_SURFACES);
  router.get('/v3/api-docs', (_req, res) => writeJson(res, 200, document));
  // The same, one level deeper: its way to the server is longer.
  const group = { ...document, servers: [{ url: '../..' }] };
  router.get('/v3/api-docs/push', (_req, res) => writeJson(res, 200, group));
  router.get(['/', '/swagger-ui.html'], (req, res) =>
    res.redirect(`${req.baseUrl}/swagger-ui/index.html`),
  );
  router.use('/swagger-ui', swaggerUi());
  return router;
}
