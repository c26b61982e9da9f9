import { stateChannel } from './declare.ts'

/** A condition of the Node beside Ready, from the part that knows it. Key: its type, such as `DiskPressure`; removed when it is over. */
export interface NodeConditionReport {
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase, for machines. */
  readonly reason: string
  /** A sentence, for people. */
  readonly message: string
}
export const nodeConditions = stateChannel<NodeConditionReport>('node.conditions')
