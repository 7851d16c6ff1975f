import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { socketRefusal } from './place.ts';
import { type ControlAction, type ControlReply, decodeReply } from './protocol.ts';

/** Nobody listens: no daemon runs on this journal. */
export const NOT_RUNNING = 'control.notRunning';

const TIMEOUT_MILLIS = 10_000;
/** Orders are canceled and positions read before it is answered. */
const ADOPT_TIMEOUT_MILLIS = 28_000;

/** Asks the daemon once. Never rejects: what goes wrong is a refusal with a code. */
export function callControl(
  path: string,
  action: ControlAction,
  by: string = operator(),
): Promise<ControlReply> {
  const refusal = refusalAt(path);
  if (refusal !== null) return Promise.resolve(refusal);
  return new Promise((resolve) => {
    const timeoutMillis = action.kind === 'adopt' ? ADOPT_TIMEOUT_MILLIS : TIMEOUT_MILLIS;
    const socket = connect(path);
    let received = '';
    const settle = (reply: ControlReply): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMillis, () =>
      settle({
        ok: false,
        code: 'control.timeout',
        text: `the daemon must answer within ${timeoutMillis / 1_000} s`,
      }),
    );
    socket.on('connect', () => socket.write(`${JSON.stringify({ ...action, by })}\n`));
    socket.on('data', (chunk: string) => {
      received += chunk;
      const end = received.indexOf('\n');
      if (end >= 0) settle(decodeReply(received.slice(0, end)));
    });
    socket.on('end', () =>
      settle({ ok: false, code: 'control.hungUp', text: 'the daemon must answer; it hung up instead' }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(refusalOf(error.code ?? error.message, path)),
    );
  });
}

/** Who commands, for the journal: the user, and the process the command came from. */
export function operator(): string {
  try {
    return `${userInfo().username} (pid ${process.pid})`;
  } catch {
    // A user id without an entry in the password file, as in some containers.
    return `uid ${process.getuid?.() ?? 'unknown'} (pid ${process.pid})`;
  }
}

/** Another user's socket could answer anything, and would hear what is asked. */
function refusalAt(path: string): ControlReply | null {
  try {
    const text = socketRefusal(path);
    return text === null ? null : { ok: false, code: 'control.foreign', text };
  } catch {
    // A place that cannot even be looked at: the connection attempt says what is the matter.
    return null;
  }
}

function refusalOf(code: string, path: string): ControlReply {
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return { ok: false, code: NOT_RUNNING, text: `no scalpd is running here; nobody listens on ${path}` };
  if (code === 'EACCES' || code === 'EPERM')
    return {
      ok: false,
      code: 'control.forbidden',
      text: `only the user who runs scalpd may command it: ${path}`,
    };
  return { ok: false, code: 'control.failed', text: `the daemon cannot be reached: ${code} on ${path}` };
}
