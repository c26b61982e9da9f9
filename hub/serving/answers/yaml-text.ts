import { stringify } from 'yaml'
import type { Json } from '../../../schemas/index.ts'

/** YAML 1.1 as Kubernetes writes it: keys in the order of the alphabet, lists not indented, nothing said by reference. */
export function yamlText(value: Json): string {
  return stringify(value, {
    schema: 'yaml-1.1',
    sortMapEntries: true,
    indentSeq: false,
    aliasDuplicateObjects: false,
    lineWidth: 0,
  })
}
