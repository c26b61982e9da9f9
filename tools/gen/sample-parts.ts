import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { record } from './schema-rows.ts'

/** A device of samples/ with its model, as the files spell them. */
export interface SampleText {
  readonly name: string
  /** As the manifests name it. */
  readonly protocol: string
  /** `protocol:` of the Device. */
  readonly device: string
  /** Each property of the model that has visitors. */
  readonly properties: readonly string[]
}

/** All folders of samples/ with a Device and its DeviceModel. */
export function sampleTexts(folder = 'samples'): readonly SampleText[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => ['model.yaml', 'device.yaml'].every((file) => existsSync(join(folder, name, file))))
    .map((name) => {
      const [model, device] = ['model.yaml', 'device.yaml'].map((file) =>
        readFileSync(join(folder, name, file), 'utf8'),
      )
      const protocol = [device, model]
        .map((text) => record(record(parse(text ?? ''))['spec'])['protocol'])
        .map((value) => (typeof value === 'string' ? value : record(value)['protocolName']))
      return {
        name,
        protocol: String(protocol.find((each) => each !== undefined)),
        device: blocks(device ?? '', 2, 'protocol:')[0] ?? '',
        properties: blocks(model ?? '', 4, '- name:').filter((text) => text.includes('visitors:')),
      }
    })
}

/** The blocks of YAML that begin with this at this depth, moved to the left edge. */
export function blocks(text: string, depth: number, begin: string): readonly string[] {
  const found: string[][] = []
  let open: string[] | undefined
  for (const line of text.split('\n')) {
    const isDeeper = line.trim() === '' || line.search(/\S/) > depth
    if (open && !isDeeper) open = undefined
    if (line.startsWith(`${' '.repeat(depth)}${begin}`)) {
      open = []
      found.push(open)
    }
    open?.push(line.slice(depth))
  }
  return found.map((lines) => lines.join('\n').trimEnd())
}
