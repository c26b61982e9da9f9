import type { Condition, Device, Frame } from '../../../schemas/index.ts'
import { type CloudHarness, pumpDevice, pumpModel, type ScriptedEdge, startCloud } from './harness.ts'

export const line = ({ route }: Frame) => `${route.operation} ${route.resource}`
export const PUMP = { namespace: 'default', name: 'pump-1' }

export async function withPump(desired?: string): Promise<CloudHarness> {
  const cloud = await startCloud()
  await cloud.apply(pumpModel())
  await cloud.apply(pumpDevice('pump-1', desired))
  return cloud
}

export function reportTwin(edge: ScriptedEdge, device: Device, twin: Frame['content'], skerry: object = {}): Frame {
  const { uid = '', generation = 1 } = device.metadata
  return edge.say(
    { source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/pump-1/twin/edge_updated' },
    {
      event_id: 'e',
      timestamp: 1_786_017_600_000,
      twin,
      skerry: { uid, generation, revision: 1, properties: {}, ...skerry },
    },
  )
}

export function condition(device: Device | undefined, type: string): Condition | undefined {
  return device?.status?.conditions?.find((candidate) => candidate.type === type)
}

export const inSync = {
  targetSpeed: { expected: { value: '1200' }, actual: { value: '1200' }, metadata: { type: 'int' } },
}
