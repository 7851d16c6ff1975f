import { ACCOUNT_DRILLS } from './account-drills.ts';
import { CLOSE_DRILLS } from './close-drills.ts';
import { DEATH_DRILLS } from './death-drills.ts';
import type { Drill } from './drill.ts';
import { ORDER_DRILLS } from './order-drills.ts';
import { SOCKET_DRILLS } from './socket-drills.ts';

/** Every drill there is, in the order in which they are run and listed. */
export const DRILLS: readonly Drill[] = [
  ...ORDER_DRILLS,
  ...SOCKET_DRILLS,
  ...DEATH_DRILLS,
  ...CLOSE_DRILLS,
  ...ACCOUNT_DRILLS,
];
