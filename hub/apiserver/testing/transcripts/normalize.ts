/** What differs from run to run, and from server to server, made the same: ages, times, versions, generated names. */
export function normalize(text: string, namespace: string): readonly string[] {
  const lines = text
    .replaceAll(namespace, '{ns}')
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uid>')
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b/g, '<time>')
    .replaceAll(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, '<time>')
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000\b/g, '<time>')
    .replaceAll(/\S*\/kubectl-edit-\d+\.(yaml|json)/g, '<edited>.$1')
    .replaceAll(/\S*\/(LIVE|MERGED)-\d+\b/g, '$1')
    .replaceAll(/("continue": ?)"[\w=-]+"/g, '$1"<continue>"')
    .replaceAll(/("?resourceVersion"?: ?)"\d+"/g, '$1"<version>"')
    .replaceAll(
      /(ResourceVersion in record \(|resourceVersion:|too old resource version: \d+ \(|Resource Version: +|resource version to be \d+, was )\d+/g,
      '$1<version>',
    )
    .replaceAll(/\b(\d+d)?(\d+h)?(\d+m)?\d+[smhd]\b/g, '<age>')
    .replaceAll(/\b[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '<hash>-<random>')
    .replaceAll(/(pod-template-hash=)\w+/g, '$1<hash>')
    .replaceAll(/-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b/g, '-<hash>')
    .replaceAll(/-(?=[a-z]*[0-9b-df-hj-np-tv-xz])[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-<random>')
    .replaceAll(/\b10\.96\.\d+\.\d+\b/g, '<address>')
    .split('\n')
    // What kubectl notes of its own work comes and goes with its timing.
    .filter((line) => !/^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ /.test(line))
    .map(inOrder)
    // Widths of columns follow the longest cell.
    .map((line) => line.replaceAll(/(\S) {2,}/g, '$1   ').trimEnd())
  while (lines.at(-1) === '') lines.pop()
  return sortSchemaErrors(lines)
}

/** An object in one line comes with its keys in any order. */
function inOrder(line: string): string {
  if (!line.startsWith('{"')) return line
  try {
    return JSON.stringify(JSON.parse(line, sorted))
  } catch (error) {
    if (error instanceof SyntaxError) return line
    throw error
  }
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** An upstream server names what is wrong with an object of a custom kind in the order of chance. */
function sortSchemaErrors(lines: readonly string[]): readonly string[] {
  const sorted: string[] = []
  for (let at = 0; at < lines.length; ) {
    const end = lines.findIndex((line, position) => position >= at && !line.startsWith('* '))
    const errors = lines.slice(at, end < 0 ? lines.length : end)
    sorted.push(...(errors.some((line) => line.includes(' in body ')) ? errors.toSorted() : errors))
    at += errors.length
    if (end >= 0) sorted.push(lines[at++] ?? '')
  }
  return sorted
}

/** Whether lines are those of a transcript, in which `...` stands for any lines, and `<any>` for any text in a line. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected
  if (first === undefined) return actual.length === 0
  if (first === '...') return actual.some((_, from) => matches(rest, actual.slice(from))) || matches(rest, [])
  const [line, ...others] = actual
  return line !== undefined && isLike(first, line) && matches(rest, others)
}

function isLike(expected: string, actual: string): boolean {
  if (!expected.includes('<any>')) return expected === actual
  const pieces = expected.split('<any>').map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${pieces.join('.*')}$`).test(actual)
}
