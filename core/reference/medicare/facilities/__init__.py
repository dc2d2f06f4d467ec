"""What facilities are paid: hospitals' outpatient and inpatient services, and surgical centers."""
