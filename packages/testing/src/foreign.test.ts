import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { describeWithForeign } from './index.ts';

const run = promisify(execFile);

describeWithForeign('nginx', 'describeWithForeign with nginx', (nginx) => {
  test('hands over an nginx that speaks HTTP/2 and TLS', async () => {
    const { stderr } = await run(nginx, ['-V']);

    expect(stderr).toMatch(/--with-http_ssl_module.*--with-http_v2_module/s);
  });
});

describeWithForeign('nghttpd', 'describeWithForeign with nghttpd', (nghttpd) => {
  test('hands over an nghttpd that runs', async () => {
    const { stdout } = await run(nghttpd, ['--version']);

    expect(stdout).toMatch(/^nghttpd nghttp2\/\d/);
  });
});
