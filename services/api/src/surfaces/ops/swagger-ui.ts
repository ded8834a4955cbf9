import express, { Router } from 'express';
import getSwaggerUiPath from 'swagger-ui-dist/absolute-path.js';

/** The document is found from the page's own address. */
const INITIALIZER = `window.onload = () => {
  window.ui = SwaggerUIBundle({ url: '../v3/api-docs', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
};
`;

/** Nothing comes from outside. The page styles itself inline. */
const POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

/** A page to browse and try the API, under `/swagger-ui/index.html`. */
export function swaggerUi(): Router {
  const router = Router();
  router.use((_req, res, next) => {
    res.setHeader('Content-Security-Policy', POLICY);
    next();
  });
  router.get('/swagger-initializer.js', (_req, res) => {
    res.type('text/javascript').send(INITIALIZER);
  });
  router.use(express.static(getSwaggerUiPath(), { index: 'index.html', redirect: true }));
  return router;
}
