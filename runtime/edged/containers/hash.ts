import { createHash } from 'node:crypto'
import type { Container } from '../pod/schema/container.ts'

/**
 * Stays the same as long as a running container is what its pod wants. Of the name and the image alone: the API lets nothing else
 * of a container's making change in a pod that exists, and a hash of more would be another one with each version that learns a
 * field, and end every container of the node.
 */
export function containerHash({ name, image }: Container): string {
  return createHash('sha256').update(JSON.stringify({ name, image })).digest('hex').slice(0, 16)
}
