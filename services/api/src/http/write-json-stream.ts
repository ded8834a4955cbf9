import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Answers JSON that is made while it is taken. Where that fails in the middle the connection is cut: half an answer is not to look like a
 * whole one. A reader who goes away is no error.
 */
export async function writeJsonStream(
  res: ServerResponse,
  parts: AsyncIterable<string>,
): Promise<void> {
  res.statusCode = 200;
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('Cache-Control', 'no-store');
  try {
    await pipeline(Readable.from(parts), res);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
      return;
    throw error;
  }
}
