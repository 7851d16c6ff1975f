/** Rows as aligned columns for a terminal or a file; numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  const isNumeric = (column: number): boolean =>
    rows.slice(1).every((row) => typeof row[column] === 'number');
  return rows.map((row) =>
    widths
      .map((width, column) => {
        const text = String(row[column] ?? '');
        return rows.length > 1 && isNumeric(column) ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
