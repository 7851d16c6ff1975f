/**
 * What a print counts for, by its sale conditions: the consolidated tape's rules (CTS and UTP participant
 * specifications, "sale condition" tables), in the letters both tapes share.
 *
 * - `M` official close and `Q` official open repeat shares that were already printed: no volume, no price.
 * - `B` and `W` average price, `4` derivatively priced, `V` and `7` contingent, `P` prior reference price, `H` price
 *   variation, `Z` and `U` out of sequence, `C` cash, `N` next day, `R` seller, `G` bunched: volume, no price, and nobody
 *   resting in the book met them.
 * - `I` odd lot: volume, no price, but an ordinary trade in the book.
 */
export const PRICE = 1;
export const VOLUME = 2;
export const BOOK = 4;

export function printCounts(conditions: readonly string[]): number {
  let counts = PRICE | VOLUME | BOOK;
  for (let i = 0; i < conditions.length; i++) {
    switch (conditions[i]) {
      case 'M':
      case 'Q':
        return 0;
      case 'I':
        counts &= VOLUME | BOOK;
        break;
      case 'B':
      case '4':
      case 'V':
      case 'P':
      case 'H':
      case 'Z':
      case 'C':
      case 'N':
      case 'R':
      case 'G':
      case 'U':
      case 'W':
      case '7':
        counts &= VOLUME;
    }
  }
  return counts;
}
