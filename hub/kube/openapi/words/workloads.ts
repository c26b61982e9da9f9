import { OBJECT_METADATA, type Words } from './words.ts'

const SELECTOR = 'by their labels. The labels of the template have to match. It cannot be changed later.'

/** What makes pods, and what keeps them. */
export function workloadWords(): Words {
  return {
    V1Deployment: {
      metadata: OBJECT_METADATA,
      spec: 'How many pods of which template are wanted, and how old ones are replaced when the template changes.',
      status: 'How many pods there are, how many of them are new and ready, and how the rollout goes.',
    },
    V1DeploymentSpec: {
      selector: `Which pods and ReplicaSets belong to the Deployment, ${SELECTOR}`,
      strategy: 'How old pods are replaced by new ones. Default: RollingUpdate.',
      template: 'The pod that is wanted. Each change of it begins a rollout. Its restartPolicy can only be Always.',
    },
    V1DeploymentStrategy: {
      rollingUpdate:
        'How many pods more or fewer than wanted there may be during a rollout. Only with type RollingUpdate.',
    },
    V1RollingUpdateDeployment: {
      maxSurge:
        'How many pods more than replicas there may be during a rollout: a number, or a percentage of replicas, rounded up. Default: 25%. Not 0 where maxUnavailable is 0.',
      maxUnavailable:
        'How many pods fewer than replicas may be available during a rollout: a number, or a percentage of replicas, rounded down. Default: 25%. Not 0 where maxSurge is 0.',
    },
    V1ReplicaSet: {
      metadata: 'Name, namespace and owners. Labels that are absent are those of the template.',
      spec: 'How many pods of which template are wanted.',
      status: 'How many pods there are, and how many of them are ready.',
    },
    V1ReplicaSetSpec: {
      selector: `Which pods are counted, ${SELECTOR}`,
      template: 'The pod that is made where one is missing. Pods that exist stay as they are when it changes.',
    },
    V1DaemonSet: {
      metadata: OBJECT_METADATA,
      spec: 'The pod that is to run on each node, and how it is replaced when the template changes.',
      status: 'On how many nodes the pod should run, runs, is new and is ready.',
    },
    V1DaemonSetSpec: {
      selector: `Which pods belong to the DaemonSet, ${SELECTOR}`,
      template:
        'The pod that runs once on each node which its node selector, affinity and tolerations allow. Its restartPolicy can only be Always.',
      updateStrategy: 'How old pods are replaced by new ones. Default: RollingUpdate.',
    },
    V1DaemonSetUpdateStrategy: {
      rollingUpdate: 'On how many nodes at a time the pod is replaced. Only with type RollingUpdate.',
    },
    V1RollingUpdateDaemonSet: {
      maxSurge:
        'On how many nodes a new pod may start before the old one ends: a number, or a percentage of the nodes that should run it, rounded up. Default: 0. Either this or maxUnavailable is not 0, and only one of them.',
      maxUnavailable:
        'On how many nodes the pod may be missing at a time: a number, or a percentage of the nodes that should run it, rounded up. Default: 1. Has to be 0 where maxSurge is not, and only there.',
    },
    V1ControllerRevision: { metadata: OBJECT_METADATA },
    V1Job: {
      metadata: OBJECT_METADATA,
      spec: 'The pod that does the work, how often it has to succeed, and when to give up.',
      status: 'How many pods run, have succeeded and have failed, and whether the Job is done.',
    },
    V1JobSpec: {
      podFailurePolicy:
        'What a failed pod means, by exit code or condition: that the Job fails, that the failure does not count, or that it counts as usual. The first of at most 20 rules that matches holds. Only with restartPolicy Never.',
      selector:
        'Which pods belong to the Job, by their labels. Made up by the API unless manualSelector is true; leave it out.',
      successPolicy:
        'When the Job has succeeded though not all indexes have; pods that still run are ended then. Only with completionMode Indexed. Default: when all have.',
      template: 'The pod that does the work. Its restartPolicy can only be Never or OnFailure.',
    },
    V1JobStatus: {
      uncountedTerminatedPods:
        'Pods that have ended and are not yet among succeeded and failed, by uid. So each is counted once, whatever restarts in between.',
    },
    V1PodFailurePolicyRule: {
      onExitCodes: 'Matches by the exit codes of the containers. Either this or onPodConditions has to be set.',
    },
    V1PodDisruptionBudget: {
      metadata: OBJECT_METADATA,
      spec: 'For which pods it is, and how many of them have to stay when pods are evicted.',
      status: 'How many pods are healthy, how many have to be, and how many may be evicted at present.',
    },
    V1PodDisruptionBudgetSpec: {
      maxUnavailable:
        'How many of the pods may be missing after an eviction: a number, or a percentage of those wanted, rounded up. 0 forbids evictions. Not together with minAvailable.',
      minAvailable:
        'How many of the pods must be left after an eviction: a number, or a percentage of those wanted, rounded up. 100% forbids evictions. Not together with maxUnavailable.',
      selector: 'For which pods of the namespace it is, by their labels. Empty: for all. Absent: for none.',
    },
  }
}
