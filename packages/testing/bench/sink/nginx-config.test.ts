import { parseStubStatus, toNginxConfig } from './nginx-config.ts';

describe('parseStubStatus', () => {
  test('finds connections and requests', () => {
    const text =
      'Active connections: 1 \nserver accepts handled requests\n 11 10 1910001 \nReading: 0 Writing: 1 Waiting: 0 \n';

    const counts = parseStubStatus(text);

    expect(counts).toEqual({ connections: 11, requests: 1_910_001 });
  });

  test('refuses what is something else', () => {
    expect(() => parseStubStatus('<html>404 Not Found</html>')).toThrow('this is no stub_status');
  });
});

describe('toNginxConfig', () => {
  test('delays the answers of the far server alone', () => {
    const config = toNginxConfig({
      folder: '/folder',
      echoModule: '/echo.so',
      maxConcurrentStreams: 1000,
      ports: { near: 1, far: 2, mutual: 4, status: 3 },
    });

    const [before = '', near = '', far = ''] = config.split(/listen 127\.0\.0\.1:[12] ssl/);
    expect(before).toContain('http2_max_concurrent_streams 1000;');
    expect(near).not.toContain('echo_sleep');
    expect(far.match(/echo_sleep 0\.04;/g)).toHaveLength(2);
  });
});
