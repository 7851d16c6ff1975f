import { watchKillFile } from '../adapters/control/kill-file.ts';
import type { Engine } from '../engine/engine-types.ts';
import type { Log } from '../ports/log.ts';

/** The ways to the kill switch that need no command line: a file and a signal. */
export type KillDoors = {
  /** The kill file still lies there: whoever clears the latch now means something else. */
  isHeld(): boolean;
  close(): void;
};

export type KillWays = {
  /** Absolute. */
  readonly file: string;
  /** Calls back on the kill signal, also for one that came before. */
  readonly onSignal: (listener: () => void) => void;
};

/** Opens both; what is there already counts at once. */
export function openKillDoors(
  engine: Pick<Engine, 'kill'>,
  log: Log,
  { file, onSignal }: KillWays,
): KillDoors {
  let open = true;
  const killFile = watchKillFile(file, {
    onSeen({ by, why }) {
      log.error('kill.file', { file, by, why });
      engine.kill({ by, why });
    },
    onGone: () =>
      log.warn('kill.file.removed', {
        file,
        text: 'this clears nothing: the kill switch stays on until `scalpd resume --clear-latches`',
      }),
  });
  onSignal(() => {
    if (open) engine.kill({ by: `a signal to pid ${process.pid}`, why: 'SIGUSR2; who sent it is not known' });
  });
  return {
    isHeld: killFile.isThere,
    close() {
      open = false;
      killFile.close();
    },
  };
}
