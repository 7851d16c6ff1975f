/**
 * Which prints may set the mark. The tape marks each print with sale-condition letters; some kinds trade at a price that
 * was agreed elsewhere, earlier or for an odd size, and are no last trade in the sense of the tape's rules.
 *
 * Not eligible: `B` average price, `C` cash, `G` bunched sold, `H` price variation, `I` odd lot, `M` official close, `N` next
 * day, `P` prior reference price, `Q` official open, `R` seller, `T` and `U` extended hours (a late report of them inside
 * the session carries the price of another market phase), `V` contingent, `W` average price, `Z` out of sequence,
 * `4` derivatively priced, `7` qualified contingent. Source: the sale-condition tables of the CTA and UTP plans.
 */
const NOT_ELIGIBLE = 'BCGHIMNPQRTUVWZ47';

const BY_CHARACTER: readonly boolean[] = Array.from(
  { length: 128 },
  (_, code) => !NOT_ELIGIBLE.includes(String.fromCharCode(code)),
);

/** The same for one letter, given as its character code. */
export const isEligibleLetter = (code: number): boolean => BY_CHARACTER[code] !== false;

/** Whether a print with these conditions is a last trade. No condition, or one not known here, is a regular print. */
export function isEligible(conditions: readonly string[]): boolean {
  for (const condition of conditions) {
    for (let i = 0; i < condition.length; i += 1) {
      if (!isEligibleLetter(condition.charCodeAt(i))) return false;
    }
  }
  return true;
}
