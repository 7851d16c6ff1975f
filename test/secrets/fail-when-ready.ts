/**
 * Preloaded into a daemon: once it is ready it fails in the way that `FAIL_BY` names, with everything in the error that
 * an HTTP client's error objects carry, and leaves the diagnostic report that Node would write.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { FAIL_BY, APCA_API_KEY_ID, APCA_API_SECRET_KEY } = process.env;

class RequestError extends Error {
  readonly config = {
    headers: { 'APCA-API-KEY-ID': APCA_API_KEY_ID, 'APCA-API-SECRET-KEY': APCA_API_SECRET_KEY },
  };
}

function fail(): void {
  const pair = Buffer.from(`${APCA_API_KEY_ID}:${APCA_API_SECRET_KEY}`).toString('base64');
  const error = new RequestError(
    `POST /v2/orders?key=${encodeURIComponent(APCA_API_SECRET_KEY ?? '')} failed, Authorization: Basic ${pair}`,
    { cause: new Error(JSON.stringify({ key: APCA_API_KEY_ID, secret: APCA_API_SECRET_KEY })) },
  );
  process.report?.writeReport('report.json', error);
  if (FAIL_BY === 'throw') throw error;
  void Promise.reject(error);
}

if (isMainThread && FAIL_BY !== undefined) {
  const look = setInterval(() => {
    if (!existsSync('logs/scalpd.log') || !readFileSync('logs/scalpd.log', 'utf8').includes('"daemon.ready"'))
      return;
    clearInterval(look);
    fail();
  }, 50);
}
