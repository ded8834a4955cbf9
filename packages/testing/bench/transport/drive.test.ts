import { drive } from './drive.ts';
import type { PushClient } from './push-client.ts';

/** Answers each push a tick later, the nth with the nth status; takes no more than `room` at once. */
function createClient(room: number, toStatus: (n: number) => number) {
  const seen = { ids: new Set<string>(), tokens: [] as string[], most: 0 };
  let underWay = 0;
  const client: PushClient = {
    send(pushToken, apnsId, onStatus) {
      if (underWay === room) return false;
      underWay += 1;
      seen.most = Math.max(seen.most, underWay);
      seen.ids.add(apnsId);
      const n = seen.tokens.push(pushToken);
      setImmediate(() => {
        underWay -= 1;
        onStatus(toStatus(n));
        client.onRoom();
      });
      return true;
    },
    onRoom: () => undefined,
    close: () => undefined,
  };
  return { client, seen };
}

describe('drive', () => {
  test('sends as many pushes as it is told, each with its own id, to the tokens in turns', async () => {
    const { client, seen } = createClient(100, () => 200);

    const { accepted, refused } = await drive(client, {
      pushes: 5,
      inFlight: 2,
      pushTokens: ['a', 'b'],
    });

    expect({ accepted, refused }).toEqual({ accepted: 5, refused: 0 });
    expect(seen.tokens).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect(seen.ids.size).toBe(5);
    expect(seen.most).toBe(2);
  });

  test('waits for room where the client has less than it may use', async () => {
    const { client, seen } = createClient(3, () => 200);

    const { accepted } = await drive(client, { pushes: 10, inFlight: 8, pushTokens: ['a'] });

    expect(accepted).toBe(10);
    expect(seen.most).toBe(3);
  });

  test('counts what was not answered with 200', async () => {
    const { client } = createClient(100, (n) => (n === 3 ? 0 : 200));

    const { accepted, refused } = await drive(client, {
      pushes: 4,
      inFlight: 2,
      pushTokens: ['a'],
    });

    expect({ accepted, refused }).toEqual({ accepted: 3, refused: 1 });
  });

  test('stops when its time is over, with every answer there', async () => {
    const { client, seen } = createClient(100, () => 200);

    const { accepted } = await drive(client, { seconds: 0.02, inFlight: 4, pushTokens: ['a'] });

    expect(accepted).toBe(seen.tokens.length);
    expect(accepted).toBeGreaterThan(0);
  });
});
