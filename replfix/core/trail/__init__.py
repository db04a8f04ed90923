"""Records of the audit trail, their keys and anchors."""
