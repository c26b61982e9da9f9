import type { ResourceDefinition, ScalePaths } from '../../resource.ts'
import { builtin } from './kind.ts'

const SCALE: ScalePaths = { specReplicas: ['spec', 'replicas'], statusReplicas: ['status', 'replicas'] }

/** Kinds whose controllers make pods, and what protects pods. */
export const WORKLOAD_KINDS: readonly ResourceDefinition[] = [
  builtin('Deployment', {
    group: 'apps',
    plural: 'deployments',
    shortNames: ['deploy'],
    categories: ['all'],
    namespaced: true,
    status: true,
    scale: SCALE,
    model: 'V1Deployment',
  }),
  builtin('ReplicaSet', {
    group: 'apps',
    plural: 'replicasets',
    shortNames: ['rs'],
    categories: ['all'],
    namespaced: true,
    status: true,
    scale: SCALE,
    model: 'V1ReplicaSet',
  }),
  builtin('DaemonSet', {
    group: 'apps',
    plural: 'daemonsets',
    shortNames: ['ds'],
    categories: ['all'],
    namespaced: true,
    status: true,
    model: 'V1DaemonSet',
  }),
  builtin('ControllerRevision', {
    group: 'apps',
    plural: 'controllerrevisions',
    namespaced: true,
    model: 'V1ControllerRevision',
  }),
  builtin('Job', {
    group: 'batch',
    plural: 'jobs',
    categories: ['all'],
    namespaced: true,
    status: true,
    model: 'V1Job',
  }),
  builtin('PodDisruptionBudget', {
    group: 'policy',
    plural: 'poddisruptionbudgets',
    shortNames: ['pdb'],
    namespaced: true,
    status: true,
    model: 'V1PodDisruptionBudget',
  }),
]
