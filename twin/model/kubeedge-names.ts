import type { TwinChange } from '../../schemas/index.ts'

const NAME = /^[a-zA-Z0-9\-_.,:/@#]{1,128}$/
const VALUE = /^[a-zA-Z0-9\-_.,:/@#]{1,512}$/

/** Why KubeEdge would refuse this change for its characters or length, or nothing. An empty value passes, as it does there. */
export function refuseForKubeEdge(name: string, change: TwinChange | null): string | undefined {
  if (!NAME.test(name)) return 'the name must be 1 to 128 of the characters a-z A-Z 0-9 - _ . , : / @ #'
  for (const text of [change?.expected, change?.actual]) {
    if (text && !VALUE.test(text)) return 'a value must be 1 to 512 of the characters a-z A-Z 0-9 - _ . , : / @ #'
  }
  return undefined
}
