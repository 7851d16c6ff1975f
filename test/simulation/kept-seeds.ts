/** Seeds that are always run, each with the remedy whose absence it shows. Every trait is drawn from a stream of its own. */
export const KEPT_SEEDS: readonly (readonly [seed: number, what: string])[] = [
  [
    6,
    'shares left behind without the closing state, and false alarms where positions trail many partial fills',
  ],
  [66, 'an entry on an average that lacked a bar'],
  [17, 'an entry while the order stream was down'],
  [232, 'shares left behind a halt whose end a mute data socket swallowed'],
  [128, 'an order killed before its request left was missed at the broker'],
];
