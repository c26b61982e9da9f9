import type { ProjectedSource, Volume } from '../../pod/schema/volume.ts'
import type { VolumeFile, VolumeFiles } from '../folders/atomic-folder.ts'
import { relativePath } from '../folders/relative-path.ts'
import { failedMount, whyNot } from '../obstacles.ts'
import { downwardFiles } from './downward-files.ts'
import { keyedFiles } from './keyed-files.ts'
import type { ContentOf, ContentSources, SourceFiles } from './sources.ts'
import { tokenFile } from './token-file.ts'

/** The volume is files that this node writes: no container writes into it. */
export function isContent({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return [configMap, secret, downwardAPI, projected].some((source) => source !== undefined)
}

/** What is in it belongs in memory and never on disk. */
export function isSecret({ secret, projected }: Volume): boolean {
  return secret !== undefined || (projected?.sources ?? []).some((each) => each.secret ?? each.serviceAccountToken)
}

/** All files of a volume. Rejects with an ObstacleError that says what is missing. */
export async function contentOf(volume: Volume, of: ContentOf, sources: ContentSources): Promise<VolumeFiles> {
  const { name, configMap, secret, downwardAPI, projected } = volume
  const mode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? 0
  const parts: readonly ProjectedSource[] = [
    ...(configMap ? [{ configMap }] : []),
    ...(secret ? [{ secret: { ...secret, name: secret.secretName } }] : []),
    ...(downwardAPI ? [{ downwardAPI }] : []),
    ...(projected?.sources ?? []),
  ]
  try {
    const found = await Promise.all(parts.map((part) => filesOf(part, mode, of, sources)))
    return placed(found.flat())
  } catch (error) {
    of.signal.throwIfAborted()
    throw failedMount(name, whyNot(error), error)
  }
}

/** A source names one kind; one that names several gives all. */
async function filesOf(
  { configMap, secret, downwardAPI, serviceAccountToken }: ProjectedSource,
  mode: number,
  of: ContentOf,
  { objects, token }: ContentSources,
): Promise<SourceFiles> {
  const { namespace } = of.pod
  return [
    ...(configMap ? await keyedFiles('configmap', { ...configMap, namespace, mode }, objects, of.signal) : []),
    ...(secret ? await keyedFiles('secret', { ...secret, namespace, mode }, objects, of.signal) : []),
    ...(downwardAPI ? downwardFiles(downwardAPI.items, mode, of) : []),
    ...(serviceAccountToken ? [await tokenFile(serviceAccountToken, mode, of.pod, token)] : []),
  ]
}

/** By path; of several at one the last. */
function placed(files: SourceFiles): VolumeFiles {
  const found = new Map<string, VolumeFile>()
  for (const [path, file] of files) {
    const plain = relativePath(path)
    if (plain === undefined || plain.startsWith('..'))
      throw new Error(`${JSON.stringify(path.slice(0, 300))} does not lead to a place in the volume`)
    found.set(plain, file)
  }
  for (const path of found.keys()) {
    const above = foldersAbove(path).find((folder) => found.has(folder))
    if (above !== undefined) throw new Error(`${above} would be a file, and a folder for ${path}`)
  }
  return found
}

function foldersAbove(path: string): readonly string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))
}
