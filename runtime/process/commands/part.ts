import { seconds } from '../../../platform/time/index.ts'
import { askProcess } from '../ask.ts'
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
  const answer = await askProcess(directory, 'POST', `/parts/${action}`, seconds(90), { part })
  terminal.print(options.output, answer, `${part} ${action === 'stop' ? 'stopped' : 'started'}`)
  return EXIT.ok
}
