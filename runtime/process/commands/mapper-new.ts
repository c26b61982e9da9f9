import { relative, resolve } from 'node:path'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { protocolOf, scaffold } from '../mapper/scaffold.ts'
import type { Console } from '../terminal.ts'
import { packageRoot } from '../version.ts'

export interface MapperNewOptions extends CommonOptions {
  readonly dir?: string
  readonly typescript?: boolean
}

/** `skerry mapper new NAME`: a package that is a mapper and works at once. */
export async function mapperNew(name: string, options: MapperNewOptions, terminal: Console): Promise<number> {
  const typescript = options.typescript === true
  // A bad name is told before its folder is.
  protocolOf(name)
  const folder = resolve(options.dir ?? name.replace(/^@[^/]*\//, ''))
  const { protocol, files } = await scaffold({ name, folder, typescript, packageRoot })
  const shown = relative(process.cwd(), folder) || '.'
  const [mapper, sensor] = typescript ? ['index.ts', 'sensor.ts'] : ['index.js', 'sensor.js']
  const lines = [
    `${name} is in ${shown}: ${mapper} is the mapper of protocol ${protocol}.`,
    '',
    `  cd ${shown}`,
    '  skerry mapper test             # hold it to the contract',
    `  node ${sensor} 8100            # a sensor to try it on`,
    '  skerry mapper dev              # in another terminal: its values, live; save the mapper and see',
    '',
    'README.md has the next steps.',
  ]
  terminal.print(options.output, { name, protocol, folder, files }, lines.join('\n'))
  return EXIT.ok
}
