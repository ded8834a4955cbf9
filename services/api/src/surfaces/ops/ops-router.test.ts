import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({ basePaths: ['/', '/base'] });
});
afterAll(() => api.close());

describe('GET /actuator/health', () => {
  test('is up while everything answers', async () => {
    const answers = await Promise.all(
      ['', '/liveness', '/readiness'].map((part) => api.get(`/actuator/health${part}`)),
    );

    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 200, body: { status: 'UP' } },
      { status: 200, body: { status: 'UP' } },
      { status: 200, body: { status: 'UP', components: { database: { status: 'UP' } } } },
    ]);
  });

  test('is alive but not ready while something is away', async () => {
    const sick = await openTestApi();
    try {
      sick.health.addCheck('redis', () => Promise.reject(new Error('away')));

      const answers = await Promise.all(
        ['', '/liveness', '/readiness'].map((part) => sick.get(`/actuator/health${part}`)),
      );

      expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
        [503, 'DOWN'],
        [200, 'UP'],
        [503, 'DOWN'],
      ]);
    } finally {
      await sick.close();
    }
  });
});

describe('GET /swagger-ui.html', () => {
  test.each(['', '/base'])(
    'leads to a page that works under "%s" with nothing from outside',
    async (base) => {
      const redirect = await api.get(`${base}/swagger-ui.html`);
      const page = await api.get(redirect.headers.get('location') ?? '');
      const script = await api.get(`${base}/swagger-ui/swagger-initializer.js`);
      const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
      const loaded = await Promise.all(
        assets.map(async (asset) => {
          const answer = await fetch(new URL(asset ?? '', `${api.url}${base}/swagger-ui/`));
          return { status: answer.status, bytes: (await answer.arrayBuffer()).byteLength };
        }),
      );

      expect(redirect).toMatchObject({ status: 302 });
      expect(page.status).toBe(200);
      expect(page.text + script.text).not.toMatch(/https?:\/\//);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(script.text).toContain("'../v3/api-docs'");
      expect(loaded).toEqual(assets.map(() => ({ status: 200, bytes: expect.any(Number) })));
    },
  );
});
