/** A Ctrl-C reaches a child of npm twice: from the terminal, and passed on by npm. Within this time it is one press. */
const ONE_PRESS_MILLIS = 1_000;

const KILL_SIGNAL = 'SIGUSR2';

export type StopSignals = {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; its reason is the signal's name. */
  readonly first: AbortSignal;
  /** Called on each later press, for those who want to do more about it. */
  onAgain(listener: (name: string) => void): void;
  /**
   * Called on SIGUSR2, also for one that came earlier: the kill switch by signal. (SIGUSR1 opens Node's debugger.) Nobody
   * can tell who sent it.
   */
  onKill(listener: () => void): void;
  /** Takes the handlers away: signals end the process again. */
  release(): void;
};

type Source = Pick<NodeJS.Process, 'on' | 'off'>;

/** From now on signals no longer end the process: whoever asked must end it. `now` is wall time in milliseconds. */
export function watchStopSignals(
  source: Source = process,
  now: () => number = () => performance.now(),
): StopSignals {
  const controller = new AbortController();
  const listeners: ((name: string) => void)[] = [];
  let pressedAt = Number.NEGATIVE_INFINITY;
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handle = (name: NodeJS.Signals): void => {
    const isSamePress = now() - pressedAt < ONE_PRESS_MILLIS;
    pressedAt = now();
    if (isSamePress) return;
    if (controller.signal.aborted) for (const listener of listeners) listener(name);
    else controller.abort(name);
  };
  const killers: (() => void)[] = [];
  let killed = false;
  const kill = (): void => {
    killed = true;
    for (const killer of killers) killer();
  };
  for (const name of names) source.on(name, handle);
  // From the first moment on: a SIGUSR2 that nobody handles ends the process with its shares.
  source.on(KILL_SIGNAL, kill);
  return {
    first: controller.signal,
    onAgain: (listener) => void listeners.push(listener),
    onKill: (listener) => {
      killers.push(listener);
      if (killed) listener();
    },
    release: () => {
      for (const name of names) source.off(name, handle);
      source.off(KILL_SIGNAL, kill);
    },
  };
}
