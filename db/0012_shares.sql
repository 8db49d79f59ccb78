-- The slot that stands for a report where people have shares: as livereview.screening.shares.slot, and as lasting, since it
-- settles who reads what. A share is a BLOB with a bit for each slot; null: everybody is asked about everything.
CREATE MACRO report_slot(report_id) AS ('0x' || substr(report_id, 2, 4))::INTEGER;
CREATE MACRO in_share(share, report_id) AS share IS NULL OR get_bit(share::BLOB::BIT, report_slot(report_id)) = 1;
