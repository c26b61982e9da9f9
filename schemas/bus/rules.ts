import type { Rule } from '../link/index.ts'
import { stateChannel } from './declare.ts'

/** A rule that begins at this node. Written by MetaManager; key: `<namespace>/<name>`; complete once `listed` has key `rules`. */
export const assignedRules = stateChannel<Rule>('rules.assigned')
