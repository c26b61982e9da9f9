import { callControl } from '../../../platform/http/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'

/** `skerry stop|start PART`: outages to try out, without looking for process ids. */
export async function changePart(
  action: 'stop' | 'start',
  part: string,
  options: CommonOptions,
  terminal: Console,
): Promise<number> {
  const directory = dataDirectory(options.data, 'ask')
  const path = `/parts/${action}`
  const answer = await callControl({ dir: directory, method: 'POST', path, body: { part }, deadline: seconds(90) })
  terminal.print(options.output, answer, `${part} ${action === 'stop' ? 'stopped' : 'started'}`)
  return EXIT.ok
}
