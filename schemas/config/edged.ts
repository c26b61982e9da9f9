import { Type } from 'typebox'
import { EdgedTwinsConfig } from './edged-twins.ts'
import { strict } from './fields.ts'

const percent = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 0, maximum: 100, description })

const RUNS_PODS = 'Whether this node runs pods.'

/** `edged` of `skerry edge`. */
export const EdgedConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: RUNS_PODS }),
    runtime: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'CRI socket of the container runtime, as unix:///run/containerd/containerd.sock or a path. Default: the first of the usual ones that is there.',
      }),
    ),
    directory: Type.Optional(
      Type.String({ minLength: 1, description: 'Where volumes of pods are. Default: DIR/edged.' }),
    ),
    logs: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Where logs of containers are. The folder is for this edge alone: what is left of pods that are gone is removed. Default: DIR/edged/logs.',
      }),
    ),
    staticPods: Type.Optional(
      Type.String({ minLength: 1, description: 'Folder with manifests of pods that this node runs by itself.' }),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description:
          'Port on 127.0.0.1, such as 10350, on which pods of this node are reached as at a kubelet, beside DIR/edged.sock. Default: none, because nobody is asked for credentials there: whoever reaches it may run commands in every pod.',
      }),
    ),
    maxPods: Type.Integer({ default: 110, minimum: 0, maximum: 10_000, description: 'Most pods of this node.' }),
    parallelPulls: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 100,
      description: 'Images that are pulled at a time.',
    }),
    reserved: Type.Object(
      {
        milliCpu: Type.Integer({ default: 0, minimum: 0, description: 'Thousandths of a processor.' }),
        memoryBytes: Type.Integer({ default: 0, minimum: 0, description: 'Memory.' }),
      },
      { ...strict, default: {}, description: 'What pods are not offered: it is for the system and this edge.' },
    ),
    dns: Type.Object(
      {
        servers: Type.Array(Type.String({ minLength: 1 }), {
          default: [],
          description: 'Resolvers of the cluster that pods reach from here. None: pods use those of this node.',
        }),
        domain: Type.String({ default: 'cluster.local', minLength: 1, description: 'Domain of the cluster.' }),
      },
      { ...strict, default: {}, description: 'How pods with dnsPolicy ClusterFirst resolve names.' },
    ),
    images: Type.Object(
      {
        highPercent: percent(85, 'Above this part of their disk, images that nobody uses are removed.'),
        lowPercent: percent(80, 'So far images are removed.'),
      },
      { ...strict, default: {}, description: 'When images are removed.' },
    ),
    containerLogs: Type.Object(
      {
        maxMegabytes: Type.Integer({ default: 10, minimum: 1, maximum: 10_000, description: 'Size of one file.' }),
        files: Type.Integer({ default: 5, minimum: 2, maximum: 100, description: 'Files of one container.' }),
      },
      { ...strict, default: {}, description: 'How much of the logs of containers is kept.' },
    ),
    twins: EdgedTwinsConfig,
    allowedSysctls: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Kernel parameters that pods may set beside the safe ones, such as net.core.somaxconn or kernel.msg*.',
    }),
  },
  { ...strict, default: {}, description: 'Edged: pods beside the devices.' },
)

const { runtime, staticPods } = EdgedConfig.properties

/** The same for the edge of `skerry up`, as far as it depends on the machine. */
export const UpEdgedConfig = Type.Object(
  { enabled: Type.Optional(Type.Boolean({ description: RUNS_PODS })), runtime, staticPods },
  {
    ...strict,
    description:
      'Pods on the edge node, as in the configuration of the edge, where the other keys are. Written to DIR/edge/config.yaml at each start of skerry up; absent: what stands there holds.',
  },
)
