import { securityContext } from './pods.ts'
import type { Words } from './words.ts'

const NOT_INIT = 'Not for init containers, except those that restart always.'
const NOT_EPHEMERAL = 'Not to be set: ephemeral containers have none.'
const SECURITY_CONTEXT =
  'As whom, and with which rights, the container runs. What is set here goes before what the pod says.'
const PORT = 'A number from 1 to 65535, or the name of a port of the container.'

/** Containers: how they start, are watched, are confined, and how they are. */
export function containerWords(): Words {
  return {
    V1Container: {
      lifecycle: `What is done after the container starts and before it is stopped. ${NOT_INIT}`,
      livenessProbe: `How to find out that the container hangs: it is restarted once this has failed often enough. ${NOT_INIT}`,
      readinessProbe: `How to find out whether the container can serve: while it cannot, Services send the pod nothing. ${NOT_INIT}`,
      startupProbe: `How to find out that the container is up. Until it is, the other probes wait; where it never is, it is restarted. ${NOT_INIT}`,
      resources:
        'How much of cpu, memory and other resources is kept free for the container (requests) and how much it may use at most (limits).',
      securityContext: SECURITY_CONTEXT,
    },
    V1EphemeralContainer: {
      lifecycle: NOT_EPHEMERAL,
      livenessProbe: NOT_EPHEMERAL,
      readinessProbe: NOT_EPHEMERAL,
      startupProbe: NOT_EPHEMERAL,
      resources: 'Not to be set: an ephemeral container uses what the pod has left.',
      securityContext: SECURITY_CONTEXT,
    },
    V1Lifecycle: {
      postStart:
        'What is done right after the container was created. It may run beside the entry point. Where it fails, the container is killed, and restartPolicy decides what follows.',
      preStop:
        'What is done before the container is stopped for a deletion, a failed probe or want of resources. It is part of the grace period, which is not prolonged for it.',
    },
    V1LifecycleHandler: {
      exec: 'Runs a command in the container. An exit code other than 0 is a failure.',
      httpGet: 'Asks by HTTP. Any answer from 200 to 399 is a success.',
      sleep: 'Waits, without asking the container for anything.',
      tcpSocket: 'Without effect: a handler with it fails when it is run.',
    },
    V1Probe: {
      exec: 'Runs a command in the container. Exit code 0 is a success.',
      grpc: 'Asks the gRPC health service (grpc.health.v1) on a port of the pod. SERVING is a success.',
      httpGet: 'Asks by HTTP. Any answer from 200 to 399 is a success.',
      tcpSocket: 'Opens a TCP connection. An open port is a success.',
    },
    V1HTTPGetAction: { port: PORT },
    V1TCPSocketAction: { port: PORT },
    V1EnvVar: {
      valueFrom:
        'Where the value is taken from when the container starts. Not together with a value that is not empty.',
    },
    V1EnvVarSource: {
      configMapKeyRef: 'An entry of a ConfigMap of the same namespace.',
      fieldRef:
        'A field of the pod: metadata.name, metadata.namespace, metadata.uid, one of metadata.labels or metadata.annotations, spec.nodeName, spec.serviceAccountName, status.hostIP, status.hostIPs, status.podIP or status.podIPs.',
      fileKeyRef: 'An entry of a file of environment variables that an init container wrote into a volume.',
      resourceFieldRef:
        'A request or limit of a container: of cpu, memory or ephemeral-storage, or requests.hugepages-* and limits.hugepages-*.',
      secretKeyRef: 'An entry of a Secret of the same namespace.',
    },
    V1EnvFromSource: {
      configMapRef: 'A ConfigMap of the same namespace, each entry of which becomes a variable.',
      secretRef: 'A Secret of the same namespace, each entry of which becomes a variable.',
    },
    V1ContainerRestartRule: {
      exitCodes: 'The exit codes for which the rule holds.',
    },
    V1SecurityContext: {
      capabilities: 'Which Linux capabilities are added to, or dropped from, those that the runtime gives. Linux only.',
      ...securityContext('the container, in place of what the pod says'),
    },
    V1ContainerState: {
      running: 'Set while the container runs: since when.',
      terminated: 'Set once the container has ended: how, when and with which exit code.',
      waiting:
        'Set while the container does not run yet or no longer: why, such as a pull of its image. Default, where nothing is set.',
    },
    V1ContainerStatus: {
      lastState: 'How the run before the last restart ended; empty before the first restart.',
      resources:
        'The requests and limits that are in force for the running container. They may lag behind those wanted.',
      state: 'How the container is at present: one of waiting, running and terminated.',
      user: 'As whom the first process of the container was started.',
    },
    V1ContainerUser: {
      linux: 'User id, group id and further groups of that process. Linux only.',
    },
    V1VolumeMountStatus: {
      volumeStatus: 'What is known of the mounted volume that depends on its type.',
    },
    V1VolumeStatus: {
      image: 'Of an image volume: which image was pulled and mounted, by its digest.',
    },
  }
}
