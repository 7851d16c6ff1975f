/** The document with the part between `<!-- NAME -->` and `<!-- end of NAME -->` made anew. */
export function withPart(document: string, name: string, content: string): string {
  const [from, to] = boundsOf(document, name);
  return `${document.slice(0, from)}\n\n${content}\n\n${document.slice(to)}`;
}

/** What stands in that part. */
export function partOf(document: string, name: string): string {
  return document.slice(...boundsOf(document, name)).trim();
}

function boundsOf(document: string, name: string): readonly [number, number] {
  const [head, tail] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [document.indexOf(head), document.indexOf(tail)];
  if (from < 0 || to < from) throw new Error(`the document has a part ${head} ... ${tail}; found none`);
  return [from + head.length, to];
}
