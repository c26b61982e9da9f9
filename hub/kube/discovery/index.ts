export { aggregatedDiscovery } from './aggregated.ts'
export {
  coreVersions,
  definitionsOf,
  groupList,
  groupNames,
  groupOf,
  groupVersion,
  resourceList,
  versionsOf,
} from './discovery.ts'
export { subresourcesOf, verbsOf } from './verbs.ts'
export { compareVersions } from './versions.ts'
