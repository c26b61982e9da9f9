import type { Desired, DeviceOrders, OrderedValue, Twin } from '../../schemas/index.ts'
import { isFulfilled, REFUSED } from './property.ts'

/**
 * What the mapper host has to bring to the device: desired values of the model's writable properties that the device has not
 * said yet. A device that leaves its desired value by itself gets it again.
 */
export function ordersOf(twin: Twin): DeviceOrders {
  const orders: [string, OrderedValue][] = []
  for (const [name, property] of Object.entries(twin.properties)) {
    const { desired, modelType, writable, failure } = property
    if (!desired || !modelType || !writable || failure?.reason === REFUSED || isFulfilled(property)) continue
    orders.push([name, { value: desired.value, id: orderId(twin, desired) }])
  }
  return { properties: Object.fromEntries(orders) }
}

/** The same for the same wish, also after a restart; different for each wish, also for the same value again. */
export function orderId({ uid }: Twin, { version, timestamp }: Desired): string {
  return `${uid}/${version.cloud}.${version.edge}.${timestamp}`
}
