// pm2 start ecosystem.config.js
//
// pm2 reads this file with `require`, which Node 20.19 and later can do with a module: `apps` must be a named export.
// Keys come from the environment of the shell that runs pm2, or better from .env beside this file: pm2 keeps what it
// inherits, and `pm2 save` writes it to disk.

export const apps = [
  {
    name: 'scalpd',
    // Installs and builds what is missing, then is the daemon itself: no child in between that could miss a signal.
    script: 'scripts/bootstrap.mjs',
    args: ['scalpd', 'run'],
    cwd: import.meta.dirname,
    exec_mode: 'fork',
    // Never two: the broker has one data connection for an account, and the journal one writer.
    instances: 1,

    // `ready` is sent when every lane is live. A first start installs and builds before that.
    wait_ready: true,
    listen_timeout: 180_000,

    // SIGINT lets it get flat (or leave exits resting, `shutdown: hold`) and close its sockets; that takes up to 20 s.
    kill_timeout: 30_000,
    treekill: false,

    // A wrong configuration (2) is not mended by a restart. 0 must not stand here: pm2 reports a process that was killed
    // or ran out of memory as 0 too, and that one must come back to look after its shares.
    stop_exit_codes: [2],
    exp_backoff_restart_delay: 2_000,
    // Ten ends within a minute of their start, and pm2 gives up.
    min_uptime: 60_000,
    max_restarts: 10,

    // The log proper is logs/scalpd.log, rotated; this one holds what pm2 saw.
    out_file: 'logs/pm2.log',
    error_file: 'logs/pm2.log',
    merge_logs: true,

    vizion: false,
    pmx: false,
    automation: false,
  },
];
