import { LoadConnection } from './load-connection.ts';
import { flood } from './load-flood.ts';
import { createRequestWriter } from './load-request.ts';
import { pace } from './load-paced.ts';
import { saturate } from './load-saturate.ts';
import type { LoadTask } from './load.ts';

/** The load generator: takes a task by IPC, answers what came of it, and ends with its parent. */
process.on('message', (task: LoadTask) => {
  void run(task).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.({ type: 'ready' });

async function run(task: LoadTask) {
  const open = Array.from({ length: task.connections }, () => LoadConnection.open(task.port));
  const connections = await Promise.all(open);
  const cpuBefore = process.cpuUsage();
  const result = await start(task, connections);
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const connection of connections) connection.close();
  return { ...result, cpuMicros: user + system };
}

function start(task: LoadTask, connections: LoadConnection[]) {
  const toRequest = createRequestWriter(task);
  switch (task.kind) {
    case 'saturate':
      return saturate(task, connections, toRequest);
    case 'pace':
      return pace(task, connections, toRequest);
    case 'flood':
      return flood(task, connections, toRequest);
  }
}
