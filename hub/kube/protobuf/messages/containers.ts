/** Containers of a Pod, with their states. Facts: generated.proto of the API packages of Kubernetes. */
export const CONTAINERS_MESSAGES: Readonly<Record<string, string>> = {
  AppArmorProfile: 'type:1:string localhostProfile:2:string?',
  Capabilities: 'add:1:*string drop:2:*string',
  ConfigMapEnvSource: 'localObjectReference:1:^LocalObjectReference optional:2:bool?',
  ConfigMapKeySelector: 'localObjectReference:1:^LocalObjectReference key:2:string optional:3:bool?',
  Container:
    'name:1:string image:2:string command:3:*string args:4:*string workingDir:5:string ports:6:*ContainerPort envFrom:19:*EnvFromSource env:7:*EnvVar resources:8:ResourceRequirements resizePolicy:23:*ContainerResizePolicy restartPolicy:24:string? restartPolicyRules:25:*ContainerRestartRule volumeMounts:9:*VolumeMount volumeDevices:21:*VolumeDevice livenessProbe:10:Probe readinessProbe:11:Probe startupProbe:22:Probe lifecycle:12:Lifecycle terminationMessagePath:13:string terminationMessagePolicy:20:string imagePullPolicy:14:string securityContext:15:SecurityContext stdin:16:bool stdinOnce:17:bool tty:18:bool',
  ContainerPort: 'name:1:string hostPort:2:int32 containerPort:3:int32 protocol:4:string hostIP:5:string',
  ContainerResizePolicy: 'resourceName:1:string restartPolicy:2:string',
  ContainerRestartRule: 'action:1:string exitCodes:2:ContainerRestartRuleOnExitCodes',
  ContainerRestartRuleOnExitCodes: 'operator:1:string values:2:*int32',
  ContainerState:
    'waiting:1:ContainerStateWaiting running:2:ContainerStateRunning terminated:3:ContainerStateTerminated',
  ContainerStateRunning: 'startedAt:1:Time',
  ContainerStateTerminated:
    'exitCode:1:int32 signal:2:int32 reason:3:string message:4:string startedAt:5:Time finishedAt:6:Time containerID:7:string',
  ContainerStateWaiting: 'reason:1:string message:2:string',
  ContainerStatus:
    'name:1:string state:2:ContainerState lastState:3:ContainerState ready:4:bool restartCount:5:int32 image:6:string imageID:7:string containerID:8:string started:9:bool? allocatedResources:10:%Quantity resources:11:ResourceRequirements volumeMounts:12:*VolumeMountStatus user:13:ContainerUser allocatedResourcesStatus:14:*ResourceStatus stopSignal:15:string?',
  ContainerUser: 'linux:1:LinuxContainerUser',
  EnvFromSource: 'prefix:1:string configMapRef:2:ConfigMapEnvSource secretRef:3:SecretEnvSource',
  EnvVar: 'name:1:string value:2:string valueFrom:3:EnvVarSource',
  EnvVarSource:
    'fieldRef:1:ObjectFieldSelector resourceFieldRef:2:ResourceFieldSelector configMapKeyRef:3:ConfigMapKeySelector secretKeyRef:4:SecretKeySelector fileKeyRef:5:FileKeySelector',
  EphemeralContainer: 'ephemeralContainerCommon:1:^EphemeralContainerCommon targetContainerName:2:string',
  EphemeralContainerCommon:
    'name:1:string image:2:string command:3:*string args:4:*string workingDir:5:string ports:6:*ContainerPort envFrom:19:*EnvFromSource env:7:*EnvVar resources:8:ResourceRequirements resizePolicy:23:*ContainerResizePolicy restartPolicy:24:string? restartPolicyRules:25:*ContainerRestartRule volumeMounts:9:*VolumeMount volumeDevices:21:*VolumeDevice livenessProbe:10:Probe readinessProbe:11:Probe startupProbe:22:Probe lifecycle:12:Lifecycle terminationMessagePath:13:string terminationMessagePolicy:20:string imagePullPolicy:14:string securityContext:15:SecurityContext stdin:16:bool stdinOnce:17:bool tty:18:bool',
  ExecAction: 'command:1:*string',
  FileKeySelector: 'volumeName:1:string path:2:string key:3:string optional:4:bool?',
  GRPCAction: 'port:1:int32 service:2:string? mode:3:string?',
  HTTPGetAction:
    'path:1:string port:2:IntOrString host:3:string scheme:4:string httpHeaders:5:*HTTPHeader protocol:6:string?',
  HTTPHeader: 'name:1:string value:2:string',
  ImageVolumeStatus: 'imageRef:1:string',
  Lifecycle: 'postStart:1:LifecycleHandler preStop:2:LifecycleHandler stopSignal:3:string?',
  LifecycleHandler: 'exec:1:ExecAction httpGet:2:HTTPGetAction tcpSocket:3:TCPSocketAction sleep:4:SleepAction',
  LinuxContainerUser: 'uid:1:int64 gid:2:int64 supplementalGroups:3:*int64',
  Probe:
    'probeHandler:1:^ProbeHandler initialDelaySeconds:2:int32 timeoutSeconds:3:int32 periodSeconds:4:int32 successThreshold:5:int32 failureThreshold:6:int32 terminationGracePeriodSeconds:7:int64?',
  ProbeHandler: 'exec:1:ExecAction httpGet:2:HTTPGetAction tcpSocket:3:TCPSocketAction grpc:4:GRPCAction',
  ResourceClaim: 'name:1:string request:2:string',
  ResourceHealth: 'resourceID:1:string health:2:string message:6:string?',
  ResourceRequirements: 'limits:1:%Quantity requests:2:%Quantity claims:3:*ResourceClaim',
  ResourceStatus: 'name:1:string resources:2:*ResourceHealth',
  SELinuxOptions: 'user:1:string role:2:string type:3:string level:4:string',
  SeccompProfile: 'type:1:string localhostProfile:2:string?',
  SecretEnvSource: 'localObjectReference:1:^LocalObjectReference optional:2:bool?',
  SecretKeySelector: 'localObjectReference:1:^LocalObjectReference key:2:string optional:3:bool?',
  SecurityContext:
    'capabilities:1:Capabilities privileged:2:bool? seLinuxOptions:3:SELinuxOptions windowsOptions:10:WindowsSecurityContextOptions runAsUser:4:int64? runAsGroup:8:int64? runAsNonRoot:5:bool? readOnlyRootFilesystem:6:bool? allowPrivilegeEscalation:7:bool? procMount:9:string? seccompProfile:11:SeccompProfile appArmorProfile:12:AppArmorProfile',
  SleepAction: 'seconds:1:int64',
  TCPSocketAction: 'port:1:IntOrString host:2:string',
  VolumeDevice: 'name:1:string devicePath:2:string',
  VolumeMount:
    'name:1:string readOnly:2:bool recursiveReadOnly:7:string? mountPath:3:string subPath:4:string mountPropagation:5:string? subPathExpr:6:string bindMountOptions:8:*string',
  VolumeMountStatus:
    'name:1:string mountPath:2:string readOnly:3:bool recursiveReadOnly:4:string? volumeStatus:5:VolumeStatus',
  VolumeStatus: 'image:1:ImageVolumeStatus',
  WindowsSecurityContextOptions:
    'gmsaCredentialSpecName:1:string? gmsaCredentialSpec:2:string? runAsUserName:3:string? hostProcess:4:bool?',
}
