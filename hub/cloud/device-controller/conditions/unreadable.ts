import type { Device } from '../../../../schemas/index.ts'
import { EXTRA, type TwinView } from '../views/twin-view.ts'

const MOST_NAMED = 5

/** Which properties of a device that answers cannot be read, and why; empty when all can. */
export function unreadable(device: Device, view: TwinView): string {
  const found: string[] = []
  for (const { name } of device.spec.properties ?? []) {
    const cause = causeOf(view, name)
    if (cause !== undefined) found.push(`${name} (${cause})`)
  }
  const named = found.slice(0, MOST_NAMED).join(', ')
  return found.length > MOST_NAMED ? `${named} and ${found.length - MOST_NAMED} more` : named
}

function causeOf(view: TwinView, name: string): string | undefined {
  const property = view.get(name)
  if (property?.unread !== undefined) return property.unread
  const { metadata } = property?.reported ?? {}
  return metadata?.[EXTRA.quality] === 'bad' ? (metadata[EXTRA.cause] ?? 'no cause was given') : undefined
}
