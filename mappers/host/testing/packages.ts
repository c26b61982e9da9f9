import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'

/** A temporary folder with these files. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder('skerry-theirs-')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

/** The module of a mapper of others. */
export function mapperModule(protocol: string, contract = 1): string {
  return `
import { configSchema, DeviceSilentError, defineMapper, noConnection, readEach, Type } from 'skerry/mapper'
export const seen = { DeviceSilentError }
const anything = configSchema(Type.Object({ host: Type.String({ default: 'here' }) }))
export default defineMapper({
  contract: ${contract}, protocol: '${protocol}', deviceConfig: anything, visitorConfig: anything,
  connectionKey: () => 'a', connect: noConnection, read: (_connection, visits, signal) => readEach(visits, signal, () => 42),
})
`
}
