"""What is asked: questionnaires as versioned files, read into frozen typed values."""
