import type { Words } from './words.ts'

const CSI_IN_PLACE = 'Deprecated; clusters of today hand it to the CSI driver'
const GONE = 'Deprecated and no longer supported: a pod with it does not start'

/** Volumes of pods: what each type mounts. */
export function volumeWords(): Words {
  return {
    V1Volume: {
      awsElasticBlockStore: `A disk of AWS EBS. ${CSI_IN_PLACE} ebs.csi.aws.com.`,
      azureDisk: `A disk of Azure. ${CSI_IN_PLACE} disk.csi.azure.com.`,
      azureFile: `A share of Azure Files. ${CSI_IN_PLACE} file.csi.azure.com.`,
      cephfs: `A CephFS file system. ${GONE}.`,
      cinder: `A disk of OpenStack Cinder. ${CSI_IN_PLACE} cinder.csi.openstack.org.`,
      configMap: 'A ConfigMap of the same namespace: each entry is a file, which follows changes of the ConfigMap.',
      csi: 'A short-lived volume that a CSI driver makes for this pod.',
      downwardAPI: 'Files with fields of the pod itself, such as its labels, and with the resources of its containers.',
      emptyDir: 'A folder that begins empty and is deleted with the pod. It outlives restarts of containers.',
      ephemeral: 'A volume of any storage class, claimed for this pod and deleted with it.',
      fc: 'A disk of a Fibre Channel network.',
      flexVolume: 'A volume that a program on the node mounts. Deprecated: use a CSI driver.',
      flocker: `A Flocker data set. ${GONE}.`,
      gcePersistentDisk: `A disk of Google Compute Engine. ${CSI_IN_PLACE} pd.csi.storage.gke.io.`,
      gitRepo:
        'A clone of a git repository. Deprecated and switched off: clone into an emptyDir from an init container.',
      glusterfs: `A Gluster volume. ${GONE}.`,
      hostPath:
        'A file or folder of the node itself. Whoever can write it may gain power over the node: mount it read-only where possible.',
      image: 'The files of a container image or OCI artifact, read-only.',
      iscsi: 'A disk behind an iSCSI target.',
      nfs: 'A folder that an NFS server exports.',
      persistentVolumeClaim: 'A PersistentVolumeClaim of the same namespace, whose volume is mounted.',
      photonPersistentDisk: `A disk of the Photon Controller. ${GONE}.`,
      portworxVolume: `A Portworx volume. ${CSI_IN_PLACE} pxd.portworx.com.`,
      projected: 'Several sources in one folder: Secrets, ConfigMaps, fields of the pod, tokens and certificates.',
      quobyte: `A Quobyte volume. ${GONE}.`,
      rbd: `An image of a Ceph RBD pool. ${GONE}.`,
      scaleIO: `A ScaleIO volume. ${GONE}.`,
      secret: 'A Secret of the same namespace: each entry is a file in memory, which follows changes of the Secret.',
      storageos: `A StorageOS volume. ${GONE}.`,
      vsphereVolume: `A disk of vSphere. ${CSI_IN_PLACE} csi.vsphere.vmware.com.`,
    },
    V1VolumeProjection: {
      clusterTrustBundle:
        'The certificates of one or more ClusterTrustBundles, as one PEM file that follows their changes.',
      configMap: 'Entries of a ConfigMap of the same namespace, each as a file.',
      downwardAPI: 'Fields of the pod itself and resources of its containers, each as a file.',
      podCertificate:
        'A key made for the pod, with a certificate for it that a signer issued and that is renewed in time.',
      secret: 'Entries of a Secret of the same namespace, each as a file.',
      serviceAccountToken: "A token of the pod's service account, as a file that is renewed before it expires.",
    },
    V1ClusterTrustBundleProjection: {
      labelSelector:
        'Which bundles of the signer are put together, by their labels. Only with signerName. Absent: none. Empty: all.',
    },
    V1DownwardAPIVolumeFile: {
      fieldRef:
        'The field that is written: metadata.name, metadata.namespace, metadata.uid, metadata.labels or metadata.annotations, whole or one entry.',
      resourceFieldRef:
        'The request or limit that is written, of cpu, memory, ephemeral-storage or hugepages-*. Has to name its container.',
    },
    V1EphemeralVolumeSource: {
      volumeClaimTemplate:
        'The claim that is made for the pod, called POD-VOLUME and owned by the pod. Where another claim of that name exists, the pod does not start.',
    },
    V1PersistentVolumeClaimTemplate: {
      metadata: 'Labels and annotations of the claim. Nothing else is taken from here.',
      spec: 'What the claim asks for.',
    },
    V1PersistentVolumeClaimSpec: {
      dataSource:
        'What the new volume is filled with: a VolumeSnapshot or another claim of the same namespace. Always the same as dataSourceRef where that names no namespace.',
      dataSourceRef:
        'What the new volume is filled with: an object of any kind that a driver or populator knows, also of another namespace where the cluster allows it.',
      resources: 'How much room the volume must have at least: requests.storage, such as 5Gi.',
      selector: 'Which existing volumes may be bound, by their labels. A claim that has one gets no newly made volume.',
    },
    V1CephFSVolumeSource: {
      secretRef: 'A Secret with the key of the user, in place of secretFile. Default: none.',
    },
    V1CinderVolumeSource: { secretRef: 'A Secret with what is needed to log in to OpenStack.' },
    V1CSIVolumeSource: {
      nodePublishSecretRef:
        'A Secret of the same namespace that the driver gets whenever it mounts or unmounts the volume (NodePublishVolume, NodeUnpublishVolume). All its entries are handed over.',
    },
    V1FlexVolumeSource: {
      secretRef: 'A Secret of the same namespace, all entries of which the program that mounts gets.',
    },
    V1ISCSIVolumeSource: {
      secretRef:
        'A Secret with the names and passwords for CHAP, where chapAuthDiscovery or chapAuthSession ask for it.',
    },
    V1RBDVolumeSource: { secretRef: 'A Secret with the key of the user, in place of keyring. Default: none.' },
    V1ScaleIOVolumeSource: {
      secretRef: 'A Secret with user name and password of ScaleIO. Without it nothing can be mounted.',
    },
    V1StorageOSVolumeSource: {
      secretRef:
        'A Secret with address, user name and password of the StorageOS API. Default: what the driver has built in.',
    },
  }
}
