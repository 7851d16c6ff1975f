import { parentPort } from 'node:worker_threads';

/** The least a worker can be: it says it is there and sends back what it gets. */
parentPort?.on('message', (message) => parentPort?.postMessage(message));
parentPort?.postMessage('ready');
