type Method = 'POST' | 'PUT';

/** How to reach the api as callers do. Rejects unless the answer is a success. */
export interface ApiClient {
  /** Sends `{"requestObject": …}`, with POST unless told otherwise; answers the `responseObject`. */
  call<T>(route: string, requestObject: unknown, method?: Method): Promise<T>;
  /** The same with a body that was made before: making a large one takes a while. */
  send<T>(route: string, body: string, method?: Method): Promise<T>;
}

export function createApiClient(port: number, key: string): ApiClient {
  async function send<T>(route: string, body: string, method: Method = 'POST'): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}${route}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body,
    });
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    const { responseObject } = (await response.json()) as { responseObject: T };
    return responseObject;
  }
  return {
    call: (route, requestObject, method) => send(route, JSON.stringify({ requestObject }), method),
    send,
  };
}
